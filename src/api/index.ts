export { startApi, type Api, type ApiConfig, type ApiOptions, type ApiStats } from './start.js';
export { TokensFile, type TokenVerifier } from './auth/index.js';
