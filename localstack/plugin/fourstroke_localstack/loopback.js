// kinesis-local listens on all interfaces where it is not told one, and it asks for none. Here it listens on loopback.
const { Server } = require("net");
const listen = Server.prototype.listen;
Server.prototype.listen = function (port, ...more) {
  return listen.call(this, port, "127.0.0.1", ...more.filter((given) => typeof given !== "string"));
};
