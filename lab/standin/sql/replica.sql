-- Unlike the main server's on purpose: when a state transfer has replaced it, one sees that it has.
INSERT INTO installation (note) VALUES ('a fresh installation: local data that joining the cluster destroys');
INSERT INTO users (login, name) VALUES ('local-only', 'Exists on this server only');
