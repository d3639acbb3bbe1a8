import type { Recipe } from '../recipe.js';
import { sees } from '../steps.js';

export const gradio: Recipe = {
  name: 'gradio',
  title: 'Gradio',
  version: '6.31.0',
  packages: { pypi: { gradio: '6.31.0' } },
  files: {
    'app.py': `import gradio as gr

def say(word, file):
    for length in range(len(word)):
        yield word[:length], None
    yield f"said: {word}", open(file).read() if file else "no file"

with gr.Blocks() as demo:
    word = gr.Textbox(label="word")
    file = gr.File(label="file")
    button = gr.Button("Say")
    said = gr.Textbox(label="said")
    read = gr.Textbox(label="read")
    button.click(say, [word, file], [said, read])

demo.launch()
`,
  },
  start: 'python app.py',
  ports: [7860],
  tried: 'an upload, an answer that streams',
  async use({ page, word }) {
    await page.getByLabel('word').fill(word);
    const buffer = Buffer.from(`file ${word}`);
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer });
    await sees(page, '13.0 B');
    await page.getByRole('button', { name: 'Say' }).click();
    await page.waitForFunction(
      `['said: ${word}', 'file ${word}'].every((text) => [...document.querySelectorAll('textarea, input')].some(({ value }) => value === text))`,
    );
  },
};
