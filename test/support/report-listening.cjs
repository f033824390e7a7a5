// Loaded in front of a program: tells the parent process as soon as a server of the program listens on the port that the
// environment names.
const { EventEmitter } = require('node:events');
const { Server } = require('node:net');

Server.prototype.emit = function emit(event, ...given) {
  if (event === 'listening' && this.address().port === Number(process.env.PORT)) process.send('listening');
  return EventEmitter.prototype.emit.call(this, event, ...given);
};
