/*
 * mount: draws a page's component, in strict mode. When the page's code is
 * loaded again, as a hot reload does, the new one takes the old one's place, at
 * once: a channel without users is kept for a second only.
 */
import { StrictMode } from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';

const ROOT = Symbol.for('the root of the page');

export function mount(App) {
    window[ROOT]?.unmount();
    const root = window[ROOT] = createRoot(document.querySelector('main'));
    flushSync(() => root.render(<StrictMode><App /></StrictMode>));
}

/** Loads the page's code anew, all of it. */
export function reload() {
    return import(`/page.js?${Date.now()}`);
}
