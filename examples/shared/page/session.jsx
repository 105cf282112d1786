/*
 * session: who uses the page, as its address says (?user=ann), with tokens that
 * the backend issues. They are good for minutes: the connection asks for a new
 * one before one ends, and so does who finds that one has.
 */

/** @param {string} user */
export function createSession(user) {
    let held;

    async function token() {
        const answer = await fetch('/api/login', { method: 'POST',
            body: JSON.stringify({ user }) });
        held = (await answer.json()).token;
        return held;
    }

    async function ask(method, path, body, bearer) {
        const answer = await fetch(path, { method,
            headers: { Authorization: 'Bearer ' + bearer },
            body: body && JSON.stringify(body) });
        if (!answer.ok)
            throw Object.assign(new Error(await answer.text()),
                { status: answer.status });
        return answer.json();
    }

    return { user, token,
        /** A request to the backend, or to the broker, in the user's name. */
        async request(method, path, body) {
            try {
                return await ask(method, path, body, held ?? await token());
            } catch (error) {
                if (error.status !== 401)
                    throw error;
                return ask(method, path, body, await token());
            }
        } };
}

export const userOfPage = (otherwise) =>
    new URLSearchParams(location.search).get('user') ?? otherwise;

/** Links to be somebody else. */
export function People({ people, me }) {
    return (
        <nav aria-label="People">You are {Object.entries(people).map(
            ([user, text]) => user === me ?
                <strong key={user}>{text}</strong> :
                <a key={user} href={'?user=' + user}>{text}</a>)}
        </nav>
    );
}
