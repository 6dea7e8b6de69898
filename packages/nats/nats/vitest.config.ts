export { default } from '@samovar/vitestconfig';
