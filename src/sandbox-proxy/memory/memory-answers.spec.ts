import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryAnswers } from './memory-answers.js';

/** Answers that rest on their key and on the team in them. */
function newMemory(max = 10): MemoryAnswers<string> {
  return new MemoryAnswers(max, (key, team) => (team === null ? [key] : [key, `team ${team}`]));
}

const answer = (value: string | null, askedAtMs = 0) => ({ value, askedAtMs });

describe('answers in memory', () => {
  it('are as they were given, the last one for each key', () => {
    const memory = newMemory();
    memory.set('a', answer('t', 7));
    memory.set('b', answer(null, 8));
    expect([memory.get('a'), memory.get('b'), memory.get('c')]).toEqual([
      answer('t', 7),
      answer(null, 8),
      undefined,
    ]);
    memory.set('a', answer(null, 9));
    memory.set('b', answer('t', 9));
    expect([memory.get('a'), memory.get('b')]).toEqual([answer(null, 9), answer('t', 9)]);
  });

  it('are the most recently used, in the number that is allowed', () => {
    const memory = newMemory(2);
    for (const key of ['a', 'b']) memory.set(key, answer('t'));
    memory.get('a');
    memory.set('c', answer('t'));
    expect(['a', 'b', 'c'].filter((key) => memory.get(key) !== undefined)).toEqual(['a', 'c']);
  });

  it.each<[string, (memory: MemoryAnswers<string>) => void]>([
    ['one by one', (memory) => memory.delete('a')],
    ['by what it rests on', (memory) => memory.deleteTopic('team t')],
    ['with all others', (memory) => memory.clear()],
    ['for another one', (memory) => memory.set('b', answer('t'))],
    ['for a newer one', (memory) => memory.set('a', answer(null))],
  ])('go also where they were asked for last: %s', (_how, change) => {
    const memory = newMemory(1);
    memory.set('a', answer('t'));
    expect(memory.get('a')).toEqual(answer('t'));
    change(memory);
    expect(memory.get('a')).not.toEqual(answer('t'));
  });

  it('stay however many things are asked for that do not exist', () => {
    const memory = newMemory();
    memory.set('used', answer('t'));
    for (let i = 0; i < 1_000; i++) memory.set(`made up ${i}`, answer(null));
    expect(memory.get('used')).toEqual(answer('t'));
    expect(memory.get('made up 0')).toBeUndefined();
    expect(memory.get('made up 999')).toEqual(answer(null));
  });

  it('go one by one, by what they rest on, or all together', () => {
    const memory = newMemory();
    const fill = () => {
      for (const [key, team] of Object.entries({ a: 't', b: 't', c: 'u', d: null }))
        memory.set(key, answer(team));
    };
    const left = () => ['a', 'b', 'c', 'd'].filter((key) => memory.get(key) !== undefined).join('');
    fill();
    memory.delete('a');
    expect(left()).toBe('bcd');
    fill();
    memory.deleteTopic('team t');
    expect(left()).toBe('cd');
    memory.deleteTopic('d');
    memory.deleteTopic('unheard of');
    expect(left()).toBe('c');
    fill();
    memory.clear();
    expect(left()).toBe('');
  });

  it('no longer rest on what an earlier answer for the same key rested on', () => {
    const memory = newMemory();
    memory.set('a', answer('t'));
    memory.set('a', answer('u'));
    memory.deleteTopic('team t');
    expect(memory.get('a')).toEqual(answer('u'));
  });

  it('are found by what they rest on, and by nothing else, whatever was put in, pushed out and deleted', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const team = fc.constantFrom('t', 'u', null);
    const step = fc.oneof(
      fc.record({ set: key, team }),
      fc.record({ get: key }),
      fc.record({ delete: key }),
      fc.record({ deleteTopic: fc.constantFrom('team t', 'team u', 'a') }),
      fc.record({ clear: fc.constant(true) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const memory = newMemory(2);
        for (const each of steps) {
          if ('set' in each) memory.set(each.set, answer(each.team));
          else if ('get' in each) memory.get(each.get);
          else if ('delete' in each) memory.delete(each.delete);
          else if ('deleteTopic' in each) memory.deleteTopic(each.deleteTopic);
          else memory.clear();
        }
        const before = new Map(['a', 'b', 'c', 'd', 'e'].map((each) => [each, memory.get(each)?.value]));
        memory.deleteTopic('team t');
        for (const [each, value] of before)
          expect(memory.get(each)?.value).toBe(value === 't' ? undefined : value);
        for (const topic of ['team u', ...before.keys()]) memory.deleteTopic(topic);
        for (const each of before.keys()) expect(memory.get(each)).toBeUndefined();
        expect(memory['keysOf'].size).toBe(0);
      }),
    );
  });
});
