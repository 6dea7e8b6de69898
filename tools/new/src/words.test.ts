import { describe, expect, it } from 'vitest';
import { article, plural, singular } from './words.ts';

describe('singular', () => {
  it.each([
    ['teapot', 'teapot'],
    ['stickers', 'sticker'],
    ['batteries', 'battery'],
    ['boxes', 'box'],
    ['dishes', 'dish'],
    ['houses', 'house'],
    ['glass', 'glass'],
    ['status', 'status'],
    ['news', 'news'],
    ['analysis', 'analysis'],
    ['keys', 'key'],
    ['cookies', 'cookie'],
    ['ties', 'tie'],
    ['buses', 'bus'],
    ['promises', 'promise'],
    ['series', 'series'],
    ['constructor', 'constructor'],
  ])('of %s is %s', (word, one) => {
    expect(singular(word)).toBe(one);
  });
});

it.each([
  ['teapot', 'teapots'],
  ['battery', 'batteries'],
  ['key', 'keys'],
  ['box', 'boxes'],
  ['glass', 'glasses'],
])('several of %s are %s', (word, many) => {
  expect(plural(word)).toBe(many);
});

it('knows the article by the first letter', () => {
  expect([article('order'), article('teapot')]).toEqual(['an', 'a']);
});
