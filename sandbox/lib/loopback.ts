// The one host that the sandbox answers as, and the only ones that it sends anything to.
import type { RequestHandler } from 'express';

export const host = '127.0.0.1';

export const isLoopback = (url: URL): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);

/**
 * Answers requests only that name the sandbox as it is: a page that a browser has loaded from elsewhere could otherwise
 * read from here, after its own name has been made to lead to this machine (DNS rebinding).
 */
export const ownHostOnly: RequestHandler = (req, res, next) => {
  const [named = '', another] = req.headersDistinct.host ?? [];
  const own = another === undefined && /^127\.0\.0\.1(?::(\d*))?$/.exec(named);
  const port = own && Number(own[1] || 80);
  if (port === req.socket.localPort) return next();
  const message = `The sandbox answers at http://${host}:${req.socket.localPort} only.`;
  return res.status(421).json({ success: false, message });
};
