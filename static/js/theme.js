// Loaded before the first paint, so that the page never flashes in the other theme.
// A blocked localStorage (a private window) means: follow the system.
(() => {
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {}
})();
