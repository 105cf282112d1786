/* Packages of tests that bring no types. */
declare module 'react-test-renderer';
