// Collects garbage, in a process that was not started with --expose-gc: what is left is what is kept, whenever the engine
// collects.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
export const collectGarbage: () => void = runInNewContext('gc');
