#!/usr/bin/env node
// The built package. No top-level await and no static import here, so that a Node that is too old can still say so.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`p2pt needs Node 22.18 or later; this is Node ${process.versions.node} (${process.execPath})`)
  process.exit(1)
}
// oclif looks for a TypeScript compiler unless it is told that this is no development.
process.env.NODE_ENV = process.env.NODE_ENV || 'production'
import('./execute.js')
  .then((module) => module.executeBuilt())
  .catch((error) => {
    console.error(`p2pt cannot start: ${error.message}`)
    process.exit(1)
  })
