export { Random } from '../kit/random.js';
