import type { Recipe } from '../recipe.js';
import { sees } from '../steps.js';

export const tensorboard: Recipe = {
  name: 'tensorboard',
  title: 'TensorBoard',
  version: '2.21.0',
  packages: { pypi: { tensorboard: '2.21.0', setuptools: '80.9.0' } },
  files: {
    'write.py': `from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
import time
writer = EventFileWriter("runs")
for step in range(10):
    value = Summary.Value(tag="the loss", simple_value=1 / (step + 1))
    writer.add_event(Event(step=step, wall_time=time.time(), summary=Summary(value=[value])))
writer.close()
`,
  },
  prepare: 'rm -rf runs && python write.py',
  start: 'tensorboard --logdir runs',
  ports: [6006],
  tried: 'a chart of scalars',
  async use({ page }) {
    await sees(page, 'the loss');
  },
};
