#!/usr/bin/env node
// The sources, run as they are: for development.
process.env.NODE_ENV = process.env.NODE_ENV || 'production'
import('./execute.js')
  .then((module) => module.executeSources())
  .catch((error) => {
    console.error(error)
    process.exit(1)
  })
