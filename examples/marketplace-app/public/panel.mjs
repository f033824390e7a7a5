const sdk = await new AppExtensionsSDK().initialize({ size: { height: 200 } });

async function showDeals() {
  const { token } = await sdk.execute(AppExtensionsSDK.Command.GET_SIGNED_TOKEN);
  const response = await fetch('/api/deals', { headers: { Authorization: `Bearer ${token}` } });
  const body = await response.json();
  document.querySelector('#deals').textContent = response.ok ? `${body.deals.length} deals` : body.message;
  document.querySelector('#connect').hidden = body.code !== 'not_installed';
}
addEventListener('focus', showDeals);
await showDeals();
