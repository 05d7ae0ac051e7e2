export { writeJson } from './write-json.js';
