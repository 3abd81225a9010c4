/** Drawings beside words, or in the place of words that stand unseen beside them. */
const Icon = ({ path, className = 'icon' }: { path: string; className?: string }) => (
  <svg className={className} viewBox="0 0 24 24" aria-hidden="true">
    <path d={path} />
  </svg>
)

export const BackIcon = () => <Icon path="M15 5l-7 7 7 7" />
export const PencilIcon = () => <Icon path="M4 20l1-5L16 4l4 4L9 19zM14 6l4 4" />
export const MoreIcon = () => <Icon path="M6 12v.01M12 12v.01M18 12v.01" className="icon dots" />
export const CheckIcon = () => <Icon path="M5 13l5 5L19 7" />
export const CrossIcon = () => <Icon path="M6 6l12 12M18 6L6 18" />
export const LeaveIcon = () => <Icon path="M10 4H5v16h5M15 8l4 4-4 4M19 12H9" />
export const SendIcon = () => <Icon path="M4 12l16-8-6 16-3-7z" />
export const DownIcon = () => <Icon path="M12 5v14M6 13l6 6 6-6" />
export const BubblesIcon = () => <Icon path="M4 5h12v8H9l-3 3v-3H4zM19 9v8h-1v3l-3-3H9" className="icon large" />
