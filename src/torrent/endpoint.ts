/** `host:port`, IPv6 in brackets. */
export const endpointOf = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`
