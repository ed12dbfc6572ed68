/*
 * openai_replies.h -- replies of OpenAI and of those who speak like it, as they
 * are seen in the wild.
 */
#ifndef ASBI_TESTS_OPENAI_REPLIES_H
#define ASBI_TESTS_OPENAI_REPLIES_H

#define PACKED_TEXT                                                    \
    "{\\\"items\\\":[{\\\"id\\\":\\\"a1\\\",\\\"output\\\":\\\"Hello " \
    "\\\\\\\"you\\\\\\\"\\\"},{\\\"id\\\":\\\"b2\\\",\\\"output\\\":"  \
    "\\\"\xd0\x94\xd0\xb0 \\\\ud83d\\\\ude00\\\"},{\\\"id\\\":"        \
    "\\\"a1\\\",\\\"output\\\":\\\"again\\\"}]}"
#define PACKED_ITEMS \
    "a1=Hello \"you\";b2=\xd0\x94\xd0\xb0 \xf0\x9f\x98\x80;a1=again;"

static const char openai_packed[] =
    "{\n  \"id\": \"chatcmpl-B9\",\n  \"object\": \"chat.completion\",\n"
    "  \"created\": 1741569952,\n  \"model\": \"gpt-4o-mini-2024-07-18\",\n"
    "  \"choices\": [\n    {\n      \"index\": 0,\n      \"message\": {\n"
    "        \"role\": \"assistant\",\n        \"content\": \"" PACKED_TEXT
    "\",\n        \"refusal\": null,\n        \"annotations\": []\n      },\n"
    "      \"logprobs\": null,\n      \"finish_reason\": \"stop\"\n    }\n  "
    "],\n"
    "  \"usage\": {\n    \"prompt_tokens\": 1117,\n"
    "    \"completion_tokens\": 46,\n    \"total_tokens\": 1163,\n"
    "    \"prompt_tokens_details\": {\n      \"cached_tokens\": 1024,\n"
    "      \"audio_tokens\": 0\n    },\n    \"completion_tokens_details\": {\n"
    "      \"reasoning_tokens\": 0\n    }\n  },\n"
    "  \"service_tier\": \"default\",\n  \"system_fingerprint\": \"fp_1\"\n}\n";

/* First chunk without choices, as with Azure; usage in a last one. */
static const char azure_stream[] =
    "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":"
    "\"\",\"prompt_filter_results\":[{\"prompt_index\":0,"
    "\"content_filter_results\":{\"hate\":{\"filtered\":false,\"severity\":"
    "\"safe\"}}}]}\n\n"
    "data: {\"choices\":[{\"content_filter_results\":{},\"delta\":{\"content\":"
    "\"\",\"refusal\":null,\"role\":\"assistant\"},\"finish_reason\":null,"
    "\"index\":0,\"logprobs\":null}],\"id\":\"chatcmpl-C\",\"object\":"
    "\"chat.completion.chunk\",\"usage\":null}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"{\\\"items\\\":[{\\\"id"
    "\\\":\\\"a1\\\",\"},\"finish_reason\":null,\"index\":0}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"output\\\":\\\"\\u4f60"
    "\\\"}\"},\"finish_reason\":null,\"index\":0}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"]}\"},\"finish_reason\":null"
    "}]}\n\n"
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\",\"index\":0}"
    "]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"completion_tokens\":9,"
    "\"completion_tokens_details\":{\"reasoning_tokens\":0},\"prompt_tokens\":"
    "28,\"prompt_tokens_details\":{\"cached_tokens\":0},\"total_tokens\":37}}"
    "\n\n"
    "data: [DONE]\n\n";

/* CRLF, comments, usage under x_groq. */
static const char groq_stream[] =
    ": ping\r\n\r\n"
    "data: {\"id\":\"chatcmpl-g\",\"object\":\"chat.completion.chunk\","
    "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":"
    "\"\"},\"finish_reason\":null}],\"x_groq\":{\"id\":\"req_01\"}}\r\n\r\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Bon\"},"
    "\"finish_reason\":null}]}\r\n\r\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"jour\"},"
    "\"finish_reason\":null}]}\r\n\r\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]"
    ",\"x_groq\":{\"id\":\"req_01\",\"usage\":{\"queue_time\":0.06,"
    "\"prompt_tokens\":11,\"prompt_time\":0.001,\"completion_tokens\":2,"
    "\"total_tokens\":13}}}\r\n\r\n"
    "data: [DONE]\r\n\r\n";

static const char vllm_packed[] =
    "{\"id\":\"chatcmpl-7f\",\"object\":\"chat.completion\",\"created\":17,"
    "\"model\":\"Qwen/Qwen2.5-7B-Instruct\",\"choices\":[{\"index\":0,"
    "\"message\":{\"role\":\"assistant\",\"reasoning_content\":null,"
    "\"content\":\"```json\\n{\\n  \\\"items\\\": [\\n    {\\\"id\\\": "
    "\\\"a1\\\", \\\"output\\\": \\\"One\\\"},\\n    {\\\"id\\\": 2, "
    "\\\"output\\\": [\\\"Two\\\"]}\\n  ]\\n}\\n```\",\"tool_calls\":[]},"
    "\"logprobs\":null,\"finish_reason\":\"stop\",\"stop_reason\":null}],"
    "\"usage\":{\"prompt_tokens\":50,\"total_tokens\":70,"
    "\"completion_tokens\":20,\"prompt_tokens_details\":null},"
    "\"prompt_logprobs\":null}";

static const char ollama_single[] =
    "{\"id\":\"chatcmpl-532\",\"object\":\"chat.completion\",\"created\":17,"
    "\"model\":\"llama3.2\",\"system_fingerprint\":\"fp_ollama\",\"choices\":"
    "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hi!\"},"
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":26,"
    "\"completion_tokens\":3,\"total_tokens\":29}}\n";

static const char mistral_parts[] =
    "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"thinking\","
    "\"thinking\":[{\"type\":\"text\",\"text\":\"hm\"}]},{\"type\":\"text\","
    "\"text\":\"Yes\"}],\"role\":\"assistant\"},\"finish_reason\":\"stop\"}],"
    "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}";

#endif
