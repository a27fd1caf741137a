export default { kit: { paths: { base: '/some/where' } } };
