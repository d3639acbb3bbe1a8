export { type Answer as RawAnswer, fieldsOfHead, wholeAnswer as readAnswer } from '../kit/answer.js';
