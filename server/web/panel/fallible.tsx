import { Component, type ReactNode } from 'react'

/** Keeps a mistake in one part of the page from taking the others with it; with another subject it is tried anew. */
export class Fallible extends Component<{ of: unknown; children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null }

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  override componentDidUpdate(before: { of: unknown }) {
    if (before.of !== this.props.of) this.setState({ error: null })
  }

  override render() {
    const { error } = this.state
    if (error === null) return this.props.children
    return (
      <div className="card notice" role="alert">
        <h3>The panel made a mistake here</h3>
        <p>{error instanceof Error ? error.message : String(error)}</p>
        <button type="button" onClick={() => this.setState({ error: null })}>
          Try again
        </button>
      </div>
    )
  }
}
