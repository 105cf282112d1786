/*
 * backend: imports folders of photos. An import is a job that starts, takes its
 * time and is completed; then the folder's manifest has changed.
 */
import { login } from '../shared/tokens.js';

const JOB_MS = 400;

export function backend({ publish, secret, tokenSeconds }) {
    const jobs = [];
    const changes = [];
    const issue = login(secret, tokenSeconds, () => ({}));

    function tell(job, type) {
        const { id, task_type, status } = job;
        publish('jobs', { type, key: id, data: { id, task_type, status } });
    }

    function complete(job, folder) {
        job.status = 'completed';
        tell(job, 'job_completed');
        const change = { project_folder: folder, timestamp: Date.now() };
        changes.push(change);
        publish('pending-changes', { type: 'manifest_changed', data: change });
    }

    return {
        /** The session of whoever is here: a token, in a cookie. */
        'POST /api/session': ({ body, response }) => {
            const { token } = issue({ body });
            response.setHeader('Set-Cookie',
                `session=${token}; HttpOnly; SameSite=Strict; Path=/`);
        },
        'GET /api/jobs': () => jobs,
        'GET /api/changes': () => changes,
        'POST /api/imports': ({ body: { folder } }) => {
            const job = { id: String(jobs.length + 1),
                task_type: 'import of ' + folder, status: 'running' };
            jobs.push(job);
            tell(job, 'job_started');
            setTimeout(complete, JOB_MS, job, folder);
        },
        /** The manifest is done with. */
        'DELETE /api/changes': () => changes.splice(0).length,
    };
}
