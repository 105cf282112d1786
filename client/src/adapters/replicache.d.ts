import type { Channel } from '../index.js';

/**
 * Pulls at each event of the channel, of this type if one is given; when the
 * channel has lost events; and once when it is ready, for what came before.
 * Returns a function that ends it.
 */
export function pullOnPoke(replicache: { pull(): unknown }, channel: Channel,
    type?: string): () => void;
