import { greeting } from './greeting.js';

document.querySelector('#greeting').textContent = greeting;

import.meta.hot?.accept('./greeting.js', (updated) => {
  document.querySelector('#greeting').textContent = updated.greeting;
});
