// The official OpenAI SDK, as its manual says to use it, against the gateway.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

const { default: OpenAI } = createRequire(process.env.MODULES)('openai')
const client = new OpenAI({ baseURL: process.env.BASE, apiKey: process.env.KEY, maxRetries: 0 })
const messages = [{ role: 'user', content: 'Hello' }]
const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }]

const whole = await client.chat.completions.create({ model: 'qwen-turbo', messages })
assert.equal(whole.choices[0].message.content, 'Hello, world!')
assert.equal(whole.usage.total_tokens, 11)
assert.match(whole._request_id, /^[0-9a-f-]{36}$/)

let text = '', usage
for await (const chunk of await client.chat.completions.create({ model: 'qwen-turbo', messages, stream: true, stream_options: { include_usage: true } })) {
  text += chunk.choices[0]?.delta.content ?? ''
  usage = chunk.usage ?? usage
}
assert.equal(text, 'Hello, world!')
assert.equal(usage.prompt_tokens, 7)

const called = await client.chat.completions.create({ model: 'qwen-turbo', messages, tools })
assert.equal(called.choices[0].message.tool_calls[0].function.name, 'f')
const streamed = await client.chat.completions.stream({ model: 'qwen-turbo', messages, tools }).finalChatCompletion()
assert.equal(streamed.choices[0].message.tool_calls[0].function.arguments, '{"a":1}')

const seen = await client.chat.completions.create({
  model: 'qwen-vl',
  messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }, { type: 'text', text: 'What?' }] }],
})
assert.equal(seen.choices[0].finish_reason, 'stop')

assert.equal((await client.completions.create({ model: 'qwen-turbo', prompt: 'Once' })).choices[0].text, 'Hello, world!')

for (const encoding_format of [undefined, 'float', 'base64']) {
  const vectors = await client.embeddings.create({ model: 'text-embedding', input: ['a', 'b'], encoding_format })
  assert.equal(vectors.data.length, 2)
  assert.deepEqual(vectors.data[1].embedding, encoding_format === 'base64' ? 'AAAAPwAAgL4AAAAA' : [0.5, -0.25, 0])
}

const answer = await client.responses.create({ model: 'qwen-turbo', input: 'Hello' })
assert.equal(answer.output_text, 'Hello, world!')
assert.equal(answer.usage.total_tokens, 11)
const types = []
const stream = client.responses.stream({ model: 'qwen-turbo', input: 'Hello', tools: [{ type: 'function', name: 'f', parameters: { type: 'object' }, strict: false }] })
for await (const event of stream) types.push(event.type)
const final = await stream.finalResponse()
assert.equal(final.output.at(-1).arguments, '{"a":1}')
assert.equal(types[0], 'response.created')
assert.equal(types.at(-1), 'response.completed')

const models = []
for await (const m of client.models.list()) models.push(m.id)
assert.ok(models.includes('qwen-turbo') && !models.includes('qwen-plus'))
assert.equal((await client.models.retrieve('qwen-turbo')).owned_by, 'qwen')

const refused = async (kind, status, code, call) => {
  const e = await call().then(() => assert.fail('was answered'), e => e)
  assert.ok(e instanceof kind, `${e.constructor.name}: ${e.message}`)
  assert.equal(e.status, status)
  assert.equal(e.code, code)
}
const ask = (model, more) => () => client.chat.completions.create({ model, messages, ...more })
await refused(OpenAI.PermissionDeniedError, 403, 'Model.AccessDenied', ask('qwen-plus'))
await refused(OpenAI.PermissionDeniedError, 403, 'Model.AccessDenied', ask('qwen-plus', { stream: true }))
await refused(OpenAI.NotFoundError, 404, 'model_not_found', ask('no-such-model'))
await refused(OpenAI.NotFoundError, 404, 'model_not_supported', ask('text-embedding'))
await refused(OpenAI.BadRequestError, 400, 'InvalidParameter', ask('qwen-turbo', { max_tokens: -1 }))
await refused(OpenAI.NotFoundError, 404, 'NotFound', () => client.responses.create({ model: 'qwen-turbo', input: 'x', previous_response_id: 'resp_1' }))
await refused(OpenAI.InternalServerError, 503, 'ModelUnavailable', ask('qwen-orphan'))
await refused(OpenAI.AuthenticationError, 401, 'invalid_api_key', () => new OpenAI({ baseURL: process.env.BASE, apiKey: 'sk-nothing', maxRetries: 0 }).models.list())
await refused(OpenAI.RateLimitError, 429, 'limit_requests', ask('qwen-turbo', { user: 'too-fast' }))

const broken = create => create().then(async s => { for await (const _ of s); assert.fail('came to an end') }).catch(e => e)
for (const e of [
  await broken(ask('qwen-turbo', { user: 'dies', stream: true })),
  await broken(() => client.responses.create({ model: 'qwen-turbo', input: 'x', user: 'dies', stream: true })),
]) {
  assert.ok(e instanceof OpenAI.APIError, `${e.constructor.name}: ${e.message}`)
  assert.equal(e.code, 'ModelServingError')
}
