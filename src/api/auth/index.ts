export { Guard, isLoopback, type GuardOptions } from './guard.js';
export { LOCAL, type Door, type Principal } from './principal.js';
export { TokensFile, type TokenVerifier } from './tokens-file.js';
