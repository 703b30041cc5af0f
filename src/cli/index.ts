// cli: what an operator types. commands/<topic>/<verb>.ts are thin (parse flags, call one service, render); services/
// is what commands share, render/ turns answers into text and does nothing else, repl/ is the prompt of `client start`.
// Imports control and roles. Heavy imports (the network, the torrent engine) happen within `run`, so that help is quick.
export {}
