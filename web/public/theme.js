// Sets the theme before the first paint. src/composables/useTheme.ts takes over once the app runs.
;(function () {
  var choice = null
  try {
    choice = localStorage.getItem('tagphoto.theme')
  } catch (error) {
    // Storage may be switched off: follow the system.
  }
  var dark =
    choice === 'dark' ||
    (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.classList.toggle('dark', dark)
})()
