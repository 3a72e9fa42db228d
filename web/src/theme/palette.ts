/** Warm neutrals that leave the colour to the photographs, and one pine accent. */
export const neutral = {
  0: '#ffffff',
  50: '#f8f7f5',
  100: '#f1f0ed',
  200: '#e4e2de',
  300: '#cfccc6',
  400: '#928f88',
  500: '#6b6862',
  600: '#4f4d48',
  700: '#3a3835',
  800: '#2a2927',
  900: '#1c1b1a',
  950: '#121211',
}

export const accent = {
  50: '#eef6f5',
  100: '#d5e9e7',
  200: '#aed4d0',
  300: '#7fbab5',
  400: '#57a09b',
  500: '#38827e',
  600: '#1d6967',
  700: '#17524f',
  800: '#153f3e',
  900: '#123433',
  950: '#0a2020',
}
