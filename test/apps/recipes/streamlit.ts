import type { Recipe } from '../recipe.js';
import { sees } from '../steps.js';

export const streamlit: Recipe = {
  name: 'streamlit',
  title: 'Streamlit',
  version: '1.67.0',
  packages: { pypi: { streamlit: '1.67.0' } },
  files: {
    'app.py': `import streamlit as st

st.title("greeting: first")
word = st.text_input("word")
if st.button("Say"):
    st.write(f"said: {word}")
file = st.file_uploader("file")
if file is not None:
    st.write(f"uploaded: {file.getvalue().decode()}")
`,
  },
  start: 'streamlit run app.py',
  ports: [8501],
  isSmall: true,
  tried: 'widgets, an upload',
  async use({ page, word }) {
    await sees(page, 'greeting: first');
    await page.getByLabel('word').fill(word);
    await page.getByLabel('word').press('Enter');
    await page.getByRole('button', { name: 'Say' }).click();
    await sees(page, `said: ${word}`);
    const buffer = Buffer.from(word);
    await page.locator('input[type=file]').setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer });
    await sees(page, `uploaded: ${word}`);
  },
};
