"""Asks the servers what is true and turns their answers into facts. Chooses nothing."""
