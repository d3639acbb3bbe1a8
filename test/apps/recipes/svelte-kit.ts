import type { Recipe, Visit } from '../recipe.js';
import { hotReplaced, sees } from '../steps.js';
import { NODE_24 } from './node.js';

/** What `sv create --template minimal` makes, with a form action. */
const FILES = {
  'vite.config.js': `import { sveltekit } from '@sveltejs/kit/vite';
export default { plugins: [sveltekit()] };
`,
  'src/app.html': `<!doctype html>
<html lang="en"><head>%sveltekit.head%</head><body data-sveltekit-preload-data="hover"><div>%sveltekit.body%</div></body></html>
`,
  'src/routes/+page.svelte': `<script>
  let { form } = $props();
</script>
<h1>greeting: first</h1>
<form method="POST"><input name="word" /><button>Save</button></form>
<p>{form?.saved}</p>
`,
  'src/routes/+page.server.js': `export const actions = {
  default: async ({ request }) => ({ saved: 'saved: ' + (await request.formData()).get('word') }),
};
`,
};

const packages = {
  npm: {
    ...NODE_24,
    '@sveltejs/kit': '3.2.0',
    '@sveltejs/vite-plugin-svelte': '7.3.1',
    svelte: '5.57.3',
    typescript: '6.0.3',
    vite: '8.4.0',
  },
};

async function saveForm({ page, word }: Visit): Promise<void> {
  await page.locator('input[name=word]').fill(word);
  await page.getByRole('button', { name: 'Save' }).click();
  await sees(page, `saved: ${word}`);
}

export const svelteKit: Recipe = {
  name: 'sveltekit',
  title: 'SvelteKit',
  version: '3.2.0',
  packages,
  files: FILES,
  start: 'npx vite dev',
  ports: [5173],
  tried: 'HMR, a form action',
  async use(visit) {
    await hotReplaced(visit, 'src/routes/+page.svelte');
    await saveForm(visit);
  },
};

export const svelteKitPreview: Recipe = {
  name: 'sveltekit-preview',
  title: 'SvelteKit, built',
  version: '3.2.0',
  packages,
  files: FILES,
  prepare: 'npx vite build',
  start: 'npx vite preview',
  ports: [4173],
  tried: 'a form action',
  use: saveForm,
};
