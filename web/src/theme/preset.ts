import { definePreset } from '@primeuix/themes'
// Only the tokens of components in use: the whole Aura preset weighs several times as much.
import base from '@primeuix/themes/aura/base'
import button from '@primeuix/themes/aura/button'
import dialog from '@primeuix/themes/aura/dialog'
import inputtext from '@primeuix/themes/aura/inputtext'
import menu from '@primeuix/themes/aura/menu'
import message from '@primeuix/themes/aura/message'
import progressbar from '@primeuix/themes/aura/progressbar'
import skeleton from '@primeuix/themes/aura/skeleton'
import tag from '@primeuix/themes/aura/tag'
import toast from '@primeuix/themes/aura/toast'
import { accent, neutral } from './palette'

const components = {
  button,
  dialog,
  inputtext,
  menu,
  message,
  progressbar,
  skeleton,
  tag,
  toast,
}

/** A notice in the neutral surface with a coloured text that passes AA on it. */
const notice = (text: string, border: string, background: string) => ({
  background,
  borderColor: border,
  color: text,
  detailColor: text,
  shadow: 'none',
})

const lightNotices = {
  info: notice('{primary.700}', '{primary.200}', '{primary.50}'),
  success: notice('{primary.700}', '{primary.200}', '{primary.50}'),
  warn: notice('{amber.900}', '{amber.200}', '{amber.50}'),
  error: notice('{red.800}', '{red.200}', '{red.50}'),
}

const darkNotices = {
  info: notice('{primary.200}', '{primary.800}', '{primary.950}'),
  success: notice('{primary.200}', '{primary.800}', '{primary.950}'),
  warn: notice('{amber.200}', '#5a4313', '#2a2110'),
  error: notice('{red.200}', '#6b2724', '#2e1615'),
}

const notices = { colorScheme: { light: lightNotices, dark: darkNotices } }

const dangerButton = {
  background: '{red.700}',
  hoverBackground: '{red.800}',
  activeBackground: '{red.900}',
  borderColor: '{red.700}',
  hoverBorderColor: '{red.800}',
  activeBorderColor: '{red.900}',
  color: '#ffffff',
  hoverColor: '#ffffff',
  activeColor: '#ffffff',
  focusRing: { color: '{red.500}', shadow: 'none' },
}

export const preset = definePreset(
  { ...base, components },
  {
    primitive: {
      borderRadius: { xs: '3px', sm: '6px', md: '10px', lg: '14px', xl: '18px' },
    },
    semantic: {
      primary: accent,
      transitionDuration: '0.15s',
      focusRing: { width: '2px', style: 'solid', color: '{primary.color}', offset: '2px' },
      formField: {
        paddingX: '0.875rem',
        paddingY: '0.625rem',
        focusRing: { width: '2px', style: 'solid', color: '{primary.color}', offset: '0' },
      },
      colorScheme: {
        light: {
          surface: neutral,
          primary: {
            color: '{primary.600}',
            contrastColor: '#ffffff',
            hoverColor: '{primary.700}',
            activeColor: '{primary.800}',
          },
          formField: { borderColor: '{surface.400}', hoverBorderColor: '{surface.500}' },
          text: { color: '{surface.900}', hoverColor: '{surface.950}' },
        },
        dark: {
          surface: neutral,
          primary: {
            color: '{primary.300}',
            contrastColor: '{surface.950}',
            hoverColor: '{primary.200}',
            activeColor: '{primary.100}',
          },
          formField: {
            background: '{surface.950}',
            borderColor: '{surface.500}',
            hoverBorderColor: '{surface.400}',
          },
          text: { color: '{surface.100}', hoverColor: '{surface.0}', mutedColor: '#a5a29b' },
        },
      },
    },
    components: {
      button: { colorScheme: { light: { root: { danger: dangerButton } }, dark: { root: { danger: dangerButton } } } },
      message: notices,
      toast: notices,
      tag: { root: { fontSize: '0.8125rem', fontWeight: '600', padding: '0.1875rem 0.5rem' } },
      progressbar: { root: { height: '0.5rem', borderRadius: '999px' } },
    },
  },
)
