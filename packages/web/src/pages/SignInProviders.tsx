/** The ways to sign in that there are, which of them are on, and whom each lets in. */
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { listAt, textAt, type V3Resource } from '../net/objects.ts';
import { Icon } from '../parts/Icon.tsx';
import { Title } from '../parts/Title.tsx';
import { V3Table } from '../parts/V3Table.tsx';

const isOn = (row: V3Resource) => row['enabled'] === true;
/** Something of its own is stored: `created` is null until then. */
const isSetUp = (row: V3Resource) => Boolean(row.created);

export function SignInProviders() {
  const { t } = useTranslation();
  const nameOf = (row: V3Resource) => t(`signIn.provider.${row.id}`, { defaultValue: row.id });
  return (
    <>
      <Title title={t('providers.title')} beside={<span className="facts">{t('providers.hint')}</span>} />
      <V3Table
        path="/v3/authconfigs"
        nameOf={nameOf}
        order={(a, b) => Number(isOn(b)) - Number(isOn(a)) || nameOf(a).localeCompare(nameOf(b))}
        empty={{ title: t('providers.none') }}
        isFixed={() => true}
        columns={[
          {
            title: t('list.name'),
            cell: row =>
              row.id === 'local' ? (
                <span className="strong">{nameOf(row)}</span>
              ) : (
                <Link href={`/providers/${row.id}`} className="strong">
                  {nameOf(row)} <span className="dim mono">{row.id}</span>
                </Link>
              ),
          },
          {
            title: t('providers.state'),
            cell: row => {
              if (row.id === 'local') return t('providers.always');
              if (isOn(row))
                return (
                  <span className="state ok">
                    <Icon name="ok" />
                    <span className="word">{t('providers.on')}</span>
                  </span>
                );
              return <span className="dim">{t(isSetUp(row) ? 'providers.setUp' : 'providers.off')}</span>;
            },
          },
          {
            title: t('providers.letsIn'),
            cell: row =>
              isOn(row) && row.id !== 'local'
                ? t(`providers.short.${textAt(row, 'accessMode') || 'unrestricted'}`, {
                    count: listAt(row, 'allowedPrincipalIds').length,
                  })
                : '',
          },
        ]}
      />
    </>
  );
}
