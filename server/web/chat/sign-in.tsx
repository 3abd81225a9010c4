import { useView } from '@parley/client/react'
import { type FormEvent, type ReactNode, useId, useRef, useState } from 'react'
import type { Accounts } from './account.ts'
import { checkForm, errorsOf, type FormErrors, passwordWords, usernameWords } from './sign-in-errors.ts'

/** Where nobody is signed in. */
export const SignIn = ({ accounts }: { accounts: Accounts }) => {
  const notice = useView(accounts.notice)
  const [isNew, setIsNew] = useState(false)
  const [errors, setErrors] = useState<FormErrors>({})
  const [isAsking, setIsAsking] = useState(false)
  const form = useRef<HTMLFormElement>(null)

  const show = (errors: FormErrors) => {
    setErrors(errors)
    const [first] = Object.keys(errors)
    const field = form.current?.elements.namedItem(first === 'form' ? 'password' : (first ?? ''))
    if (field instanceof HTMLInputElement) field.focus()
  }
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (isAsking) return
    const data = new FormData(event.currentTarget)
    const textOf = (name: string) => String(data.get(name) ?? '')
    const username = textOf('username').trim().toLowerCase()
    const password = textOf('password')
    const wrong = checkForm({ username, password, isNew })
    if (Object.keys(wrong).length > 0) return show(wrong)
    setErrors({})
    setIsAsking(true)
    try {
      await accounts.signIn({ username, password, isNew })
    } catch (error) {
      setIsAsking(false)
      show(errorsOf(error))
    }
  }
  const change = (isNew: boolean) => {
    setIsNew(isNew)
    setErrors({})
  }

  return (
    <main className="sign-in">
      <form ref={form} className="card" noValidate onSubmit={(event) => void submit(event)} aria-busy={isAsking}>
        <Mark />
        <h1>{isNew ? 'Create your account' : 'Welcome to Parley'}</h1>
        {notice && <p className="notice">{notice}</p>}
        <Field name="username" label="Username" hint={isNew ? usernameWords : ''} error={errors.username}>
          {(props) => (
            <input {...props} autoComplete="username" autoCapitalize="none" autoCorrect="off" spellCheck={false} />
          )}
        </Field>
        <Field name="password" label="Password" hint={isNew ? passwordWords : ''} error={errors.password}>
          {(props) => <Password {...props} isNew={isNew} />}
        </Field>
        <p className="wrong" role="alert">
          {errors.form}
        </p>
        <button type="submit" className="primary" aria-disabled={isAsking}>
          {isNew ? (isAsking ? 'Creating…' : 'Create account') : isAsking ? 'Signing in…' : 'Sign in'}
        </button>
        <p className="other">
          {isNew ? 'You have an account?' : 'New here?'}{' '}
          <button type="button" className="quiet small" onClick={() => change(!isNew)}>
            {isNew ? 'Sign in' : 'Create an account'}
          </button>
        </p>
      </form>
      <p className="facts">
        For developers: <a href="panel">the panel</a>, <a href="api/docs">all calls</a>
      </p>
    </main>
  )
}

interface InputProps {
  id: string
  name: string
  'aria-invalid': boolean
  'aria-describedby': string
}

interface FieldProps {
  name: string
  label: string
  /** What it takes, where nothing is wrong. */
  hint: string
  error: string | undefined
  children(props: InputProps): ReactNode
}

const Field = ({ name, label, hint, error, children }: FieldProps) => {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, name, 'aria-invalid': error !== undefined, 'aria-describedby': `${id}-words` })}
      <p className={error ? 'wrong' : 'facts'} id={`${id}-words`}>
        {error ?? hint}
      </p>
    </div>
  )
}

const Password = ({ isNew, ...props }: InputProps & { isNew: boolean }) => {
  const [isShown, setIsShown] = useState(false)
  return (
    <div className="password">
      <input
        {...props}
        type={isShown ? 'text' : 'password'}
        autoComplete={isNew ? 'new-password' : 'current-password'}
      />
      <button type="button" className="quiet small" aria-pressed={isShown} onClick={() => setIsShown(!isShown)}>
        Show<span className="unseen"> the password</span>
      </button>
    </div>
  )
}

const Mark = () => (
  <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
    <path className="bubble" d="M6 4h20a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4H15l-7 6v-6H6a4 4 0 0 1-4-4V8a4 4 0 0 1 4-4z" />
    <path className="lines" d="M9 11.5h14M9 17h9" />
  </svg>
)
