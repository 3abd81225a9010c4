import { ChatProvider, useView } from '@parley/client/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { type Accounts, createAccounts } from './account.ts'
import { ChatPage } from './chat-page.tsx'
import { SignIn } from './sign-in.tsx'

const Page = ({ accounts }: { accounts: Accounts }) => {
  const account = useView(accounts.account)
  if (!account) return <SignIn accounts={accounts} />
  return (
    <ChatProvider key={account.session.token} chat={account}>
      <ChatPage account={account} onSignOut={() => void accounts.signOut()} />
    </ChatProvider>
  )
}

createRoot(document.getElementById('page') as HTMLElement).render(
  <StrictMode>
    <Page accounts={createAccounts()} />
  </StrictMode>,
)
