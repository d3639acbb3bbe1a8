import type { Recipe } from '../recipe.js';
import { hotReplaced, sees } from '../steps.js';
import { NODE_24 } from './node.js';

export const nuxt: Recipe = {
  name: 'nuxt',
  title: 'Nuxt',
  version: '4.5.2',
  packages: { npm: { ...NODE_24, nuxt: '4.5.2', vue: '3.5.45' } },
  files: {
    'nuxt.config.ts': `export default defineNuxtConfig({ compatibilityDate: '2026-11-01', devtools: { enabled: false } });\n`,
    'app/app.vue': `<script setup>
const word = ref('');
const saved = ref('nothing');
const save = async () => { saved.value = (await $fetch('/api/save', { method: 'POST', body: { word: word.value } })).saved; };
</script>
<template>
  <div><h1>greeting: first</h1><input v-model="word" /><button @click="save">Save</button><p>{{ saved }}</p></div>
</template>
`,
    'server/api/save.post.ts': `export default defineEventHandler(async (event) => ({ saved: 'saved: ' + (await readBody(event)).word }));\n`,
  },
  start: 'npx nuxt dev',
  ports: [3000],
  tried: 'HMR, a server route',
  async use(visit) {
    const { page, word } = visit;
    await hotReplaced(visit, 'app/app.vue');
    await page.locator('input').fill(word);
    await page.getByRole('button', { name: 'Save' }).click();
    await sees(page, `saved: ${word}`);
  },
};
