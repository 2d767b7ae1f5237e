// The official client, unmodified: files and fine-tuning.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

const { default: OpenAI, toFile } = createRequire(process.env.MODULES)('openai')
const client = new OpenAI({ baseURL: process.env.BASE, apiKey: process.env.KEY, maxRetries: 0 })

const file = await client.files.create({ file: await toFile(Buffer.from(process.env.LINES), 'js.jsonl'), purpose: 'fine-tune' })
assert.equal(file.status, 'processed')
assert.equal((await client.files.retrieve(file.id)).filename, 'js.jsonl')
assert.equal(await (await client.files.content(file.id)).text(), process.env.LINES)
const files = []
for await (const f of client.files.list({ limit: 1 })) files.push(f.id)
assert.deepEqual(files, [file.id])

const job = await client.fineTuning.jobs.create({ model: 'qwen-turbo', training_file: file.id, suffix: 'js', seed: 7 })
assert.equal(job.object, 'fine_tuning.job')
assert.equal(job.seed, 7)
assert.equal((await client.fineTuning.jobs.retrieve(job.id)).status, 'validating_files')
const jobs = []
for await (const j of client.fineTuning.jobs.list({ limit: 1 })) jobs.push(j.id)
assert.deepEqual(jobs, [job.id])
const events = []
for await (const e of client.fineTuning.jobs.listEvents(job.id, { limit: 1 })) events.push(e.message)
assert.equal(events.length, 1)
assert.deepEqual((await client.fineTuning.jobs.checkpoints.list(job.id)).data, [])
assert.equal((await client.fineTuning.jobs.cancel(job.id)).status, 'cancelled')

await assert.rejects(client.fineTuning.jobs.create({ model: 'qwen-plus', training_file: file.id }), OpenAI.PermissionDeniedError)
await assert.rejects(client.fineTuning.jobs.create({ model: 'no-such', training_file: file.id }), OpenAI.NotFoundError)
await assert.rejects(client.fineTuning.jobs.create({ model: 'qwen-turbo', training_file: 'file-x' }), OpenAI.BadRequestError)
await assert.rejects(client.files.create({ file: await toFile(Buffer.from('x\n'), 'bad.jsonl'), purpose: 'fine-tune' }), OpenAI.BadRequestError)
await assert.rejects(client.files.retrieve('file-x'), OpenAI.NotFoundError)
assert.equal((await client.files.delete(file.id)).deleted, true)
