// Node.js's own `setImmediate`, and not the global one: tests of apps replace that and may let no time pass, and with jsdom
// there is none.
import timers from 'node:timers';

export const { setImmediate } = timers;
