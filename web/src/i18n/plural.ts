/**
 * Russian has three plural forms; vue-i18n's own rule knows only English.
 * Messages are written `one | few | many`, or `zero | one | few | many`.
 */
const rules = new Intl.PluralRules('ru')
const FORMS = ['one', 'few', 'many']

export function russianPlural(count: number, choices: number): number {
  const offset = choices > FORMS.length ? 1 : 0
  if (offset && count === 0) return 0
  const form = FORMS.indexOf(rules.select(count))
  // Fractions select "other", which reads like "many".
  return offset + (form === -1 ? FORMS.length - 1 : form)
}
