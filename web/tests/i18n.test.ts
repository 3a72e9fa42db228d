import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { i18n } from '@/i18n'
import en from '@/i18n/en.json'
import { russianPlural } from '@/i18n/plural'
import ru from '@/i18n/ru.json'

type Messages = { [key: string]: string | Messages }

function flatten(messages: Messages, prefix = ''): [string, string][] {
  return Object.entries(messages).flatMap(([key, value]): [string, string][] =>
    typeof value === 'string' ? [[prefix + key, value]] : flatten(value, `${prefix}${key}.`),
  )
}

const english = new Map(flatten(en))
const russian = new Map(flatten(ru))
const placeholders = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g))].sort()

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(vue|ts)$/.test(name))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
}

describe('messages', () => {
  it('have the same keys in both languages', () => {
    expect([...russian.keys()]).toEqual([...english.keys()])
  })

  it('fill in the same values', () => {
    for (const [key, text] of english) {
      expect(placeholders(russian.get(key) ?? ''), key).toEqual(placeholders(text))
    }
  })

  it('exist for every key the source names', () => {
    const used = sources('src').flatMap((text) =>
      [...text.matchAll(/[^\w]t\(\s*'([\w.-]+)'/g)].map((match) => match[1] ?? ''),
    )
    expect(used.length).toBeGreaterThan(100)
    expect([...new Set(used)].filter((key) => !english.has(key))).toEqual([])
  })

  it('cover every problem the interface can answer with', () => {
    const codes = [
      'sign-in-failed', 'second-factor-required', 'second-factor-failed', 'too-many-attempts',
      'not-signed-in', 'session-required', 'csrf-failed', 'other-site', 'forbidden', 'not-found',
      'link-not-found', 'link-expired', 'account-exists', 'weak-password', 'invalid-request',
      'mail-not-configured', 'last-owner', 'library-not-empty', 'conflict', 'body-too-large',
      'rate-limited', 'invalid-value', 'malformed-request', 'unavailable', 'internal-error',
      'upload-gone', 'upload-locked', 'offset-mismatch', 'checksum-mismatch', 'upload-too-large',
      'upload-version', 'upload-body-type', 'upload-refused', 'quota-exceeded', 'too-many-uploads',
      'share-ended', 'share-password-required', 'share-password-wrong', 'pass-expired',
      'damaged', 'backup-not-configured', 'backup-running', 'backup-failed',
    ]
    expect(codes.filter((code) => !english.has(`problem.${code}`))).toEqual([])
  })
})

describe('Russian plurals', () => {
  it.each([
    [1, 0], [2, 1], [4, 1], [5, 2], [11, 2], [12, 2], [21, 0], [22, 1], [111, 2], [1.5, 2],
  ])('%d takes form %d of three', (count, form) => {
    expect(russianPlural(count, 3)).toBe(form)
  })

  it('leave the first of four forms to zero', () => {
    expect(russianPlural(0, 4)).toBe(0)
    expect(russianPlural(21, 4)).toBe(1)
  })

  it('reach the page', () => {
    i18n.global.locale.value = 'ru'
    expect(i18n.global.t('jobs.crashes', 22)).toBe('22 сбоя')
    i18n.global.locale.value = 'en'
    expect(i18n.global.t('jobs.crashes', 1)).toBe('1 crash')
  })
})
