import { flushPromises, mount } from '@vue/test-utils'
import PrimeVue from 'primevue/config'
import { describe, expect, it, vi } from 'vitest'
import SignInForm from '@/components/auth/SignInForm.vue'
import { useSession } from '@/composables/useSession'
import { i18n } from '@/i18n'
import { answer, problem, sessionDocument } from './server'

const form = () =>
  mount(SignInForm, {
    props: { email: 'anna@example.org' },
    global: { plugins: [i18n, PrimeVue] },
    attachTo: document.body,
  })

async function submit(wrapper: ReturnType<typeof form>): Promise<void> {
  await wrapper.find('form').trigger('submit')
  await flushPromises()
}

describe('signing in', () => {
  it('asks for the second factor and sends all three', async () => {
    const sent: unknown[] = []
    vi.stubGlobal('fetch', async (request: Request) => {
      const body = (await request.json()) as { code?: string }
      sent.push(body)
      return body.code ? answer(sessionDocument()) : problem(401, 'second-factor-required')
    })
    const wrapper = form()
    await wrapper.find('input[type=password]').setValue('words')
    await submit(wrapper)
    expect(wrapper.find('[role=alert]').text()).toBe('')
    const code = wrapper.find('input[autocomplete=one-time-code]')
    expect(document.activeElement).toBe(code.element)
    await code.setValue('123456')
    await submit(wrapper)
    expect(sent[1]).toEqual({ email: 'anna@example.org', password: 'words', code: '123456' })
    expect(wrapper.emitted('done')).toHaveLength(1)
    expect(useSession().account.value?.name).toBe('Anna')
  })

  it('says how long to wait after too many attempts', async () => {
    vi.stubGlobal('fetch', async () => problem(429, 'too-many-attempts', { retry_after: 42 }))
    const wrapper = form()
    await wrapper.find('input[type=password]').setValue('words')
    await submit(wrapper)
    expect(wrapper.find('[role=alert]').text()).toContain('in 42 seconds')
  })
})
