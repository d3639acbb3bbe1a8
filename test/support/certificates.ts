export * from '../kit/certificates.js';
