// The process warnings of the package. Each has a code, which docs/troubleshooting.md explains.

export interface Warning {
  code:
    | 'PIPEDRIVE_CALLBACK_HOST'
    | 'PIPEDRIVE_INSTALL_WITHOUT_STATE'
    | 'PIPEDRIVE_INSTALLATIONS'
    | 'PIPEDRIVE_UNHANDLED_ERROR'
    | 'PIPEDRIVE_UNINSTALL_FAILED';
  /** @default 'Warning' */
  type?: string;
  detail?: string;
}

export function emitWarning(message: string, warning: Warning): void {
  process.emitWarning(message, warning);
}
