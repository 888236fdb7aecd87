/** The page at `/`: in the browser's language, with nothing of the request's that could become markup. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { homePage } from './index.ts';

test('the page speaks the first language of the browser', () => {
  assert.match(homePage('https://a', 'zh-CN,en;q=0.8'), /lang="zh-CN"[\s\S]*在终端登录/);
  assert.match(homePage('https://a', 'en-GB,zh;q=0.8'), /lang="en"[\s\S]*Sign in from a terminal/);
});

test("the server's name can't become markup", () => {
  assert.ok(!homePage('https://a<script>', '').includes('<script>'));
});
