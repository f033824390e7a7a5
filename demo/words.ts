// What the pages say about each step, each parameter and each kind of outcome.
import type { Result, Step } from './run';

/** In the order in which a sign-in goes well. */
export const stepTitles: Record<Step['kind'], string> = {
  redirect: 'Redirect',
  consent: 'Consent',
  callback: 'Callback',
  token: 'Tokens',
  profile: 'Profile',
  outcome: 'Outcome',
};

const steps: Record<Exclude<Step['kind'], 'outcome'>, string> = {
  redirect:
    "The app answers with a redirect to Pipedrive's authorize page. It says who asks and where to come back, and adds a state: 256 random bits that only this browser was given.",
  consent:
    'Pipedrive shows who asks, and for what. The app sees nothing of this page. It does not know whether anybody is looking at it, and never sees a password.',
  callback:
    'Pipedrive sends the browser back, with a code and the state. The strategy first looks whether this browser was given that state, and uses it up.',
  token:
    'Server to server: the app exchanges the code for tokens, and proves with its secret that it is the app. The browser sees nothing of this, so the tokens never leave the server.',
  profile: 'The strategy asks who the user is. The access token goes in a header, to the `api_domain` of the user.',
};

const outcomes: Record<Result['outcome'], string> = {
  success:
    "Passport's success: the handler of your callback route runs. `req.user` is what your verify function returned, and `req.authInfo.state` is the state that you gave to `authenticate`.",
  failure:
    "Passport's failure: `failureRedirect` sends the user to your login page. With `failWithError`, your error handler gets it, and `req.authInfo` has the code and a message that is safe to show.",
  error:
    "Passport's error: your error handler gets it by `next(err)`, and `err.status` is what to answer with. The user can do nothing about it; an operator can, and finds the reason in `err.cause`.",
};

/** What a step is about. What is between backticks is code. */
export function explain(step: Step): string {
  if (step.kind === 'outcome') return outcomes[step.result.outcome];
  if (step.kind !== 'callback') return steps[step.kind];
  const has = (name: string) => step.fields.some((field) => field.name === name);
  if (has('error')) return 'Pipedrive sends the browser back, with an error in place of a code.';
  if (has('state') || !has('code')) return steps.callback;
  return 'A code without state: this app has not asked for it, Pipedrive began by itself. Anybody could send a browser here like that, so the strategy drops the code, and starts a flow of its own.';
}

/** Parameters of a query or a form, in a few words. */
export const meanings: Partial<Record<string, string>> = {
  client_id: 'which app asks',
  code: 'works once, for 5 minutes',
  error: 'why there is no code',
  grant_type: 'what is exchanged for tokens',
  redirect_uri: 'where to come back: the registered callback URL',
  refresh_token: 'ends when it is not used for 60 days',
  response_type: 'a code is wanted',
  state: 'ties the callback to this browser',
  token: 'what is to end',
  token_type_hint: 'which kind of token that is',
};
