// The official Anthropic SDK, as its manual says to use it, against the gateway.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

const { default: Anthropic } = createRequire(process.env.MODULES)('@anthropic-ai/sdk')
const client = new Anthropic({ baseURL: process.env.BASE, apiKey: process.env.KEY, maxRetries: 0 })
const messages = [{ role: 'user', content: 'Hello' }]
const tools = [{ name: 'f', input_schema: { type: 'object' } }]
const ask = (model, more) => ({ model, max_tokens: 99, messages, ...more })

const whole = await client.messages.create(ask('qwen-turbo', { system: 'Be brief', stop_sequences: ['x'] }))
assert.deepEqual(whole.content, [{ type: 'text', text: 'Hello, world!' }])
assert.equal(whole.usage.output_tokens, 4)
assert.match(whole._request_id, /^[0-9a-f-]{36}$/)

const stream = client.messages.stream(ask('qwen-turbo'))
let text = ''
stream.on('text', t => (text += t))
const final = await stream.finalMessage()
assert.equal(text, 'Hello, world!')
assert.equal(final.stop_reason, 'end_turn')
assert.equal(final.usage.output_tokens, 4)

const called = await client.messages.create(ask('qwen-turbo', { tools }))
assert.equal(called.stop_reason, 'tool_use')
assert.deepEqual(called.content.at(-1).input, { a: 1 })
const streamed = await client.messages.stream(ask('qwen-turbo', { tools })).finalMessage()
assert.deepEqual(streamed.content.at(-1).input, { a: 1 })
const result = [...messages, { role: 'assistant', content: called.content }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: called.content.at(-1).id, content: '7' }] }]
assert.equal((await client.messages.create({ model: 'qwen-turbo', max_tokens: 99, messages: result })).stop_reason, 'end_turn')

const image = source => [{ role: 'user', content: [{ type: 'image', source }, { type: 'text', text: 'What?' }] }]
for (const source of [{ type: 'base64', media_type: 'image/png', data: 'AAAA' }, { type: 'url', url: 'https://example.com/a.png' }]) {
  assert.equal((await client.messages.create(ask('qwen-vl', { messages: image(source) }))).content[0].text, 'Hello, world!')
}
assert.ok((await client.messages.countTokens({ model: 'qwen-demo', messages })).input_tokens > 0)

const models = []
for await (const m of client.models.list({ limit: 2 })) models.push(m.id)
assert.ok(models.length > 4 && models.includes('qwen-turbo') && !models.includes('qwen-plus'))
assert.equal((await client.models.retrieve('qwen-turbo')).type, 'model')
const bearer = new Anthropic({ baseURL: process.env.BASE, apiKey: null, authToken: process.env.KEY, maxRetries: 0 })
assert.equal((await bearer.messages.create(ask('qwen-turbo'))).role, 'assistant')

const refused = async (kind, status, type, call) => {
  const e = await call().then(() => assert.fail('was answered'), e => e)
  assert.ok(e instanceof kind, `${e.constructor.name}: ${e.message}`)
  assert.equal(e.status, status)
  assert.equal(e.error.error.type, type)
  assert.match(e.requestID, /^[0-9a-f-]{36}$/)
}
const create = body => () => client.messages.create(body)
await refused(Anthropic.PermissionDeniedError, 403, 'permission_error', create(ask('qwen-plus')))
await refused(Anthropic.PermissionDeniedError, 403, 'permission_error', () => client.messages.stream(ask('qwen-plus')).finalMessage())
await refused(Anthropic.NotFoundError, 404, 'not_found_error', create(ask('no-such-model')))
await refused(Anthropic.BadRequestError, 400, 'invalid_request_error', create(ask('qwen-turbo', { max_tokens: -1 })))
await refused(Anthropic.BadRequestError, 400, 'invalid_request_error', create(ask('qwen-turbo', { mcp_servers: [] })))
await refused(Anthropic.InternalServerError, 503, 'overloaded_error', create(ask('qwen-orphan')))
await refused(Anthropic.AuthenticationError, 401, 'authentication_error', () => new Anthropic({ baseURL: process.env.BASE, apiKey: 'sk-nothing', maxRetries: 0 }).messages.create(ask('qwen-turbo')))
await refused(Anthropic.RateLimitError, 429, 'rate_limit_error', create(ask('qwen-turbo', { metadata: { user_id: 'too-fast' } })))

const e = await client.messages.stream(ask('qwen-turbo', { metadata: { user_id: 'dies' } })).finalMessage().then(() => assert.fail('came to an end'), e => e)
assert.ok(e instanceof Anthropic.APIError, `${e.constructor.name}: ${e.message}`)
assert.match(JSON.stringify(e.error), /overloaded_error/)
