import type { Recipe } from '../recipe.js';
import { hotReplaced, sees } from '../steps.js';

export const next: Recipe = {
  name: 'next',
  title: 'Next.js',
  version: '16.4.6',
  packages: { npm: { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' } },
  files: {
    'app/layout.js': `export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}
`,
    'app/actions.js': `'use server';
import { redirect } from 'next/navigation';
export async function save(_before, form) {
  if (form.get('go')) redirect('/saved?word=' + form.get('word'));
  return 'saved: ' + form.get('word');
}
`,
    'app/form.js': `'use client';
import { useActionState } from 'react';
import { save } from './actions';
export function Form() {
  const [saved, action] = useActionState(save, 'nothing');
  return <form action={action}>
    <input name="word" /><button>Save</button><button name="go" value="1">Go</button><p>{saved}</p>
  </form>;
}
`,
    'app/page.js': `import { Form } from './form';
export default function Page() {
  return <main><h1>greeting: first</h1><Form /></main>;
}
`,
    'app/saved/page.js': `export default async function Page({ searchParams }) {
  return <h1>redirected: {(await searchParams).word}</h1>;
}
`,
  },
  start: 'npx next dev',
  ports: [3000],
  isSmall: true,
  tried: 'HMR, server actions, one of which redirects',
  async use(visit) {
    const { page, word } = visit;
    await hotReplaced(visit, 'app/page.js');
    await page.locator('input[name=word]').fill(word);
    await page.getByRole('button', { name: 'Save' }).click();
    await sees(page, `saved: ${word}`);
    await page.locator('input[name=word]').fill(word);
    await page.getByRole('button', { name: 'Go' }).click();
    await sees(page, `redirected: ${word}`);
  },
};
