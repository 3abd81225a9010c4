/** Runs in the browser: sends what the forms of the page say. Nothing is kept but the token, for the life of the tab. */
const tokenKey = 'parley.docs.token'
const session = document.querySelector<HTMLFormElement>('#session') as HTMLFormElement
const token = session.elements.namedItem('token') as HTMLInputElement
const buttonOf = (form: HTMLFormElement, name: string) => form.querySelector<HTMLButtonElement>(`button[name=${name}]`)

const remember = (value: string) => {
  token.value = value
  sessionStorage.setItem(tokenKey, value)
}
remember(sessionStorage.getItem(tokenKey) ?? '')
token.addEventListener('input', () => remember(token.value.trim()))
buttonOf(session, 'forget')?.addEventListener('click', () => remember(''))
session.addEventListener('submit', (event) => event.preventDefault())

interface Call {
  method: string
  url: string
  headers: Record<string, string>
  body?: string
}

/** What the form asks for. Optional parameters that are empty are not sent. */
const callOf = (form: HTMLFormElement): Call => {
  const { method = 'GET', path = '' } = form.dataset
  const query = new URLSearchParams()
  let filled = path
  for (const field of form.querySelectorAll<HTMLInputElement>('input[data-in]')) {
    if (field.dataset.in === 'path') filled = filled.replace(`{${field.name}}`, encodeURIComponent(field.value))
    else if (field.value !== '') query.set(field.name, field.value)
  }
  const body = form.querySelector('textarea')?.value
  const headers: Record<string, string> = {}
  if (token.value !== '') headers.authorization = `Bearer ${token.value}`
  if (body !== undefined) headers['content-type'] = 'application/json'
  const url = `${location.origin}${filled}${query.size > 0 ? `?${query}` : ''}`
  return { method, url, headers, ...(body !== undefined && { body }) }
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

/** The token stands in it as a variable, so that what is copied elsewhere does not carry it along. */
const asCurl = ({ method, url, headers, body }: Call): string =>
  [
    `curl -sS${method === 'GET' ? '' : ` -X ${method}`} ${quoted(url)}`,
    ...Object.entries(headers).map(([name, value]) =>
      name === 'authorization' ? '-H "Authorization: Bearer $TOKEN"' : `-H ${quoted(`${name}: ${value}`)}`,
    ),
    ...(body === undefined ? [] : [`-d ${quoted(body)}`]),
  ].join(' \\\n  ')

const show = (form: HTMLFormElement, words: string, text: string, failed = false) => {
  const line = Object.assign(document.createElement('strong'), { textContent: words })
  line.classList.toggle('failed', failed)
  const parts = [line, ...(text === '' ? [] : [Object.assign(document.createElement('pre'), { textContent: text })])]
  form.querySelector('output')?.replaceChildren(...parts)
}

const pretty = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

const send = async (form: HTMLFormElement) => {
  const { url, ...init } = callOf(form)
  const started = performance.now()
  try {
    const response = await fetch(url, { ...init, cache: 'no-store' })
    const text = await response.text()
    const words = `${response.status} ${response.statusText}, ${Math.round(performance.now() - started)} ms`
    const link = response.headers.get('link')
    show(form, words, `${link === null ? '' : `Link: ${link}\n\n`}${pretty(text)}`, !response.ok)
    const opened = response.ok && text !== '' ? JSON.parse(text).session?.token : undefined
    if (typeof opened === 'string') remember(opened)
  } catch (error) {
    show(form, `No answer: ${error instanceof Error ? error.message : error}`, '', true)
  }
}

for (const form of document.querySelectorAll<HTMLFormElement>('form[data-path]')) {
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void send(form)
  })
  buttonOf(form, 'curl')?.addEventListener('click', () => show(form, 'In a shell:', asCurl(callOf(form))))
  // Ctrl+Enter sends from within the body, where Enter makes a line.
  form.querySelector('textarea')?.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit()
  })
}

/** A call that a link names is opened. */
const openNamed = () => {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (!(named instanceof HTMLDetailsElement)) return
  named.open = true
  named.scrollIntoView()
}
addEventListener('hashchange', openNamed)
openNamed()
document.documentElement.classList.add('scripted')

export {}
