import js from '@eslint/js';
import ts from 'typescript-eslint';

export default ts.config({ ignores: ['src/protocol.ts', 'src/panel/question.ts'] }, js.configs.recommended, ...ts.configs.recommended, {
  rules: {
    '@typescript-eslint/no-explicit-any': 'off',
    '@typescript-eslint/no-require-imports': 'off',
    eqeqeq: 'error',
  },
});
