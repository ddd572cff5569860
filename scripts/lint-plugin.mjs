/** Rules of this project that the linter has none for. */
const noEnum = {
  create: (context) => ({
    TSEnumDeclaration: (node) => context.report({ node, message: 'Use a union of literals in place of an enum' }),
  }),
}

export default { meta: { name: 'sluice' }, rules: { 'no-enum': noEnum } }
