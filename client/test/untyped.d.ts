/* Packages of tests that bring no types. */
declare module 'react-test-renderer';
declare module 'event-source-polyfill';
