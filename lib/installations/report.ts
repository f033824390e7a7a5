// Tells the app about errors that reject none of its calls.
import { isRecord, isText } from '../values';
import { emitWarning } from '../warnings';

/** Gets an error that rejects no call of the app's, such as one of saving, and the installation, `"company:user"`. */
export type OnError = (error: unknown, context: { id: string }) => unknown;

/** Calls the app's function. It cannot fail: what the function throws, or rejects with, is a warning. */
export function resolveOnError(onError: OnError = warn): (error: unknown, id: string) => void {
  return (error, id) => {
    const call = async () => onError(error, { id });
    call().catch((thrown: unknown) => warn(thrown, { id }));
  };
}

const WORD = /^[\w-]{1,64}$/;

// The message stays out: engines repeat the values of a failed statement in theirs.
function warn(error: unknown, { id }: { id: string }): void {
  const { name, code } = isRecord(error) ? error : {};
  const words = [name, code].filter((word) => isText(word) && WORD.test(word));
  emitWarning(`Installation ${id}: ${words.join(' ') || 'error'}. The option onError gets the whole error.`, {
    type: 'PipedriveInstallationsWarning',
    code: 'PIPEDRIVE_INSTALLATIONS',
  });
}
