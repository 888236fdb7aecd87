/** What the bundler takes that is no module of code. */
declare module '*.css';
